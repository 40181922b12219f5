// SPDX-License-Identifier: Apache-2.0
// Building the page. Text is set as text, never as markup: names come from cameras, devices and people.

type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | EventListener | undefined>;

// Elements that listen. Their listeners act by what their data-key names, so an element is kept only for the same key.
const listening = new WeakSet<Node>();

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === 'function') {
      node.addEventListener(name.replace(/^on/, ''), value);
      listening.add(node);
    }
    else if (name === 'class') node.className = String(value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) node.append(child);
  return node;
}

function alike(old: Node, next: Node): boolean {
  if (!(old instanceof HTMLElement) || !(next instanceof HTMLElement)) return old.nodeType === next.nodeType && !(next instanceof HTMLElement);
  if (old.tagName !== next.tagName || old.dataset['key'] !== next.dataset['key']) return false;
  const live = listening.has(old) || listening.has(next);
  return !live || (listening.has(old) && listening.has(next) && old.dataset['key'] !== undefined);
}

function patch(old: Node, next: Node): void {
  if (!(old instanceof HTMLElement) || !(next instanceof HTMLElement)) {
    if (old.nodeValue !== next.nodeValue) old.nodeValue = next.nodeValue;
    return;
  }
  // Whether a part is unfolded is the person's, not the drawing's.
  const kept = old instanceof HTMLDetailsElement ? 'open' : '';
  for (const name of old.getAttributeNames()) if (name !== kept && !next.hasAttribute(name)) old.removeAttribute(name);
  for (const name of next.getAttributeNames()) {
    const value = next.getAttribute(name)!;
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  patchChildren(old, [...next.childNodes]);
}

function patchChildren(parent: HTMLElement, wanted: Node[]): void {
  wanted.forEach((next, i) => {
    const old = parent.childNodes[i];
    if (!old) parent.append(next);
    else if (alike(old, next)) patch(old, next);
    else parent.replaceChild(next, old);
  });
  while (parent.childNodes.length > wanted.length) parent.lastChild!.remove();
}

/** Makes `parent` hold these children and touches only what differs: a click that began on a button ends on it, and focus and
 * scrolling stay, whatever comes in between. */
export function render(parent: HTMLElement, ...children: Child[]): void {
  patchChildren(parent, children.filter((child): child is Node | string => Boolean(child)).map((child) => (typeof child === 'string' ? document.createTextNode(child) : child)));
}
