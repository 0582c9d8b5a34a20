const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>
.paper{fill:#fbfaf8}.ink{stroke:#181e22}.line{stroke:#006c76}
@media(prefers-color-scheme:dark){.paper{fill:#0c1013}.ink{stroke:#ecebe7}.line{stroke:#71d0d5}}
</style><rect class="paper" width="32" height="32" rx="6"/>
<g fill="none" stroke-width="2.25" stroke-linecap="round" stroke-linejoin="round">
<path class="ink" d="M4.5 12.5c5.5-2.5 17.5-2.5 23 0M12 11.5v11M20 11.5v11M8.5 23h15"/>
<path class="line" d="M6 19.5 26 15"/></g></svg>`

/** The icon of the browser's tab, as an address: a file's would be asked for again at every navigation. */
export const markUrl = `data:image/svg+xml,${encodeURIComponent(svg)}`
