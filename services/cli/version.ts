/** Version of the command, as package.json says it; part of every user agent. */
export const version = '0.1.0';
