// SPDX-License-Identifier: Apache-2.0
// Building the page. Text is set as text, never as markup: names come from cameras, devices and people.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | EventListener | undefined>;

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') node.addEventListener(name.replace(/^on/, ''), value);
    else if (name === 'class') node.className = String(value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

/** Replaces what is in `parent`, keeping the focus where it was when the same control is there again (data-key). */
export function render(parent: HTMLElement, ...children: Child[]): void {
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset['key'] : undefined;
  const inside = focused !== undefined && parent.contains(document.activeElement);
  const top = parent.scrollTop;
  const scrolled = [...parent.querySelectorAll<HTMLElement>('[data-scroll]')].map((node) => node.scrollTop);
  parent.replaceChildren(...children.filter((child): child is Node | string => Boolean(child)));
  parent.querySelectorAll<HTMLElement>('[data-scroll]').forEach((node, i) => (node.scrollTop = scrolled[i] ?? 0));
  parent.scrollTop = top;
  if (inside) parent.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}
