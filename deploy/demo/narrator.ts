/** How the demo speaks: for people on stdout, for scripts as one JSON object per line. */
export type Narrator = Readonly<{
  /** A step begins; the function ends it. */
  step(title: string): (facts?: Readonly<Record<string, unknown>>) => void;
  say(text: string): void;
  event(name: string, facts: Readonly<Record<string, unknown>>): void;
}>;

export function createNarrator(json: boolean, startedAtMs: number): Narrator {
  const seconds = () => ((Date.now() - startedAtMs) / 1_000).toFixed(1).padStart(6);
  const line = (text: string) => process.stdout.write(`${text}\n`);
  const object = (value: Readonly<Record<string, unknown>>) => line(JSON.stringify(value));
  if (json) {
    return Object.freeze({
      step: (title: string) => {
        const fromMs = Date.now();
        object({ event: 'step', title });
        return (facts = {}) => object({ event: 'done', title, tookMs: Date.now() - fromMs, ...facts });
      },
      say: (text: string) => object({ event: 'say', text }),
      event: (name: string, facts: Readonly<Record<string, unknown>>) => object({ event: name, ...facts }),
    });
  }
  return Object.freeze({
    step: (title: string) => {
      const fromMs = Date.now();
      line(`${seconds()}s  ► ${title}`);
      return (facts = {}) => line(`${seconds()}s  ✔ ${title} (${Date.now() - fromMs} ms)${shown(facts)}`);
    },
    say: (text: string) => line(text),
    event: () => undefined,
  });
}

function shown(facts: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(facts).map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return parts.length === 0 ? '' : `: ${parts.join(', ')}`;
}
