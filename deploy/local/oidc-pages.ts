import type { DemoUser } from '#deploy/local/oidc-settings.ts';

/** A whole page. `bodyHtml` is trusted; every text from outside in it must have passed `escapeHtml`. */
export function demoPage(title: string, bodyHtml: string): string {
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(title)}</title><style>body{font:16px sans-serif;max-width:32em;margin:3em auto}`,
    '.demo{background:#fe9;padding:.5em}button{font:inherit;padding:.5em 1em;margin:.2em}</style></head>',
    '<body><p class="demo"><strong>Demo identity provider, not for production.</strong> Everybody may log in as anybody.</p>',
    `<h1>${escapeHtml(title)}</h1>${bodyHtml}</body></html>`,
  ].join('');
}

/** One button per demo user; pressing it is the login. */
export function loginPage(users: readonly DemoUser[]): string {
  const buttons = users.map((user) => {
    const label = `${user.name} (${user.groups.join(', ') || 'no groups'})`;
    return `<p><button name="user" value="${escapeHtml(user.id)}">${escapeHtml(label)}</button></p>`;
  });
  return demoPage('Log in to the demo', `<form method="post">${buttons.join('')}</form>`);
}

export function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replace(/[&<>"']/g, (char) => entities[char] ?? char);
}
