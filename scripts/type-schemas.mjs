import ts from 'typescript5'

/** JSON Schemas of types; those of interfaces and plain aliases under their names. */
export class Schemas {
  named = {}
  #names = new Map()
  #checker

  constructor(checker) {
    this.#checker = checker
  }

  answer(type) {
    if (type.flags & (ts.TypeFlags.Void | ts.TypeFlags.Undefined)) return null
    return this.of(type)
  }

  of(type) {
    const { flags } = type
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {}
    if (flags & ts.TypeFlags.Null) return { type: 'null' }
    if (flags & (ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)) return { const: type.value }
    if (flags & ts.TypeFlags.BooleanLiteral) return { const: type.intrinsicName === 'true' }
    if (flags & (ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral)) return { type: 'string' }
    if (flags & ts.TypeFlags.Number) return { type: 'number' }
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' }
    return this.#reference(type) ?? this.#structure(type)
  }

  /** Generic types are written out where they stand: their names say too little. */
  #reference(type) {
    const symbol = type.aliasSymbol ?? (type.flags & ts.TypeFlags.Object ? type.symbol : undefined)
    const named = type.aliasSymbol ?? (symbol && symbol.flags & ts.SymbolFlags.Interface)
    const generic = (type.aliasTypeArguments ?? type.typeArguments ?? []).length > 0
    if (!named || generic || this.#checker.isArrayType(type)) return undefined
    let name = this.#names.get(type)
    if (!name) {
      name = symbol.name
      for (let again = 2; name in this.named; again++) name = `${symbol.name}${again}`
      this.#names.set(type, name)
      this.named[name] = {}
      const description = ts.displayPartsToString(symbol.getDocumentationComment(this.#checker))
      this.named[name] = { ...(description ? { description } : {}), ...this.#structure(type) }
    }
    return { $ref: `#/components/schemas/${name}` }
  }

  #structure(type) {
    const checker = this.#checker
    if (type.isUnion()) return this.#union(type)
    if (checker.isTupleType(type)) {
      const prefixItems = checker.getTypeArguments(type).map((item) => this.of(item))
      const length = prefixItems.length
      return { type: 'array', prefixItems, items: {}, minItems: length, maxItems: length }
    }
    if (checker.isArrayType(type)) {
      return { type: 'array', items: this.of(checker.getTypeArguments(type)[0]) }
    }
    return this.#object(type)
  }

  #union(type) {
    const options = type.types.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined))
    const isTruth = ({ flags }) => flags & ts.TypeFlags.BooleanLiteral
    const isLiteral = ({ flags }) => flags & (ts.TypeFlags.StringLiteral | ts.TypeFlags.NumberLiteral)
    const truths = options.filter(isTruth)
    const literals = options.filter(isLiteral)
    const rest = options.filter((option) => !isLiteral(option) && !(truths.length === 2 && isTruth(option)))
    const any = [
      ...(literals.length > 0 ? [{ enum: literals.map(({ value }) => value).sort() }] : []),
      ...(truths.length === 2 ? [{ type: 'boolean' }] : []),
      ...rest.map((option) => this.of(option)),
    ]
    return any.length === 1 ? any[0] : { anyOf: any }
  }

  #object(type) {
    const checker = this.#checker
    const properties = {}
    const required = []
    for (const symbol of checker.getPropertiesOfType(type)) {
      // Symbols are not in JSON, and TypeScript numbers them anew with every change of the program.
      if (symbol.name.startsWith('__@')) continue
      const inner = checker.getTypeOfSymbol(symbol)
      if (checker.getSignaturesOfType(inner, ts.SignatureKind.Call).length > 0) continue
      const description = ts
        .displayPartsToString(symbol.getDocumentationComment(checker))
        .replace(/\s+/g, ' ')
      properties[symbol.name] = { ...(description ? { description } : {}), ...this.of(inner) }
      if (!(symbol.flags & ts.SymbolFlags.Optional)) required.push(symbol.name)
    }
    const index = checker.getIndexTypeOfType(type, ts.IndexKind.String)
    return {
      type: 'object',
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(required.length > 0 ? { required } : {}),
      ...(index ? { additionalProperties: this.of(index) } : {}),
    }
  }
}
