import type { Argument, Expression, Rule } from './rule.ts';

const levels: ReadonlySet<string> = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
const loggers: ReadonlySet<string> = new Set(['log', 'logger']);
const errors: ReadonlySet<string> = new Set(['error', 'err', 'cause']);

/** A log message is a constant that can be counted and searched for; what varies is a field, where the redaction list sees it (conventions, section 3, Logging). */
export const staticLogMessage: Rule = {
  meta: { messages: { dynamic: 'The message of a log line is a plain string literal; put what varies into the fields object.' } },
  create(context) {
    return {
      CallExpression(node) {
        if (!isLogCall(node.callee)) return;
        const [first, second] = node.arguments;
        if (first === undefined || isText(first)) return;
        if (second !== undefined) {
          if (!isText(second)) context.report({ node: second, messageId: 'dynamic' });
          return;
        }
        const isFacts = first.type === 'ObjectExpression' || (first.type === 'Identifier' && errors.has(first.name));
        if (!isFacts) context.report({ node: first, messageId: 'dynamic' });
      },
    };
  },
};

/** `log.info(…)`, `ctx.log.warn(…)`, `this.logger.error(…)`. */
function isLogCall(callee: Expression): boolean {
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier' || !levels.has(callee.property.name)) return false;
  const of = callee.object;
  if (of.type === 'Identifier') return loggers.has(of.name);
  return of.type === 'MemberExpression' && of.property.type === 'Identifier' && loggers.has(of.property.name);
}

function isText(node: Argument): boolean {
  if (node.type === 'Literal') return typeof node.value === 'string';
  return node.type === 'TemplateLiteral' && node.expressions.length === 0;
}
