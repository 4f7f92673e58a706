/** The symbol of its own under which an object has what Node keeps there for itself. */
export function ownSymbol(object: object, description: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find((each) => each.description === description);
}
