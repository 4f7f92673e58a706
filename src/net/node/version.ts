/** The running Node's major version: behaviour that differs between versions follows it. */
export const nodeMajor = Number(process.versions.node.split('.', 1)[0]);
