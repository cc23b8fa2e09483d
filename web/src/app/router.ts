// Addresses are fragments (#/repositories/app%2Fweb/images): the server sees none of them, and names with slashes and dots
// need no care on its side.

import { useSyncExternalStore } from "react";

export interface Place {
  /** Parts between slashes, decoded. */
  path: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Place {
  const text = hash.startsWith("#/") ? hash.slice(2) : "";
  const [path = "", query = ""] = text.split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function href(...path: string[]): string {
  return `#/${path.map(encodeURIComponent).join("/")}`;
}

export function go(to: string, replace = false): void {
  if (replace) {
    history.replaceState(null, "", to);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = to;
}

const subscribe = (f: () => void) => {
  addEventListener("hashchange", f);
  return () => removeEventListener("hashchange", f);
};

export function useHash(): string {
  return useSyncExternalStore(subscribe, () => location.hash);
}
