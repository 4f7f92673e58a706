/**
 * The same members on no prototype, so that nothing shows through that someone has put on
 * Object.prototype: for objects of which members are read, here or by Node, that may be absent.
 */
export function bare<Members extends object>(members: Members): Members {
  return Object.setPrototypeOf(members, null) as Members;
}

/** Whether it has a member of its own of this name. */
export function has<Any extends object, Name extends string>(
  object: Any,
  name: Name,
): object is Extract<Any, Partial<Record<Name, unknown>>> {
  return Object.hasOwn(object, name);
}
