// Light, dark, or as the system says.

import { applyMode, Mode } from "@cloudscape-design/global-styles";
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "berth-console-theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

function read(): Theme {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored === "light" || stored === "dark") return stored;
  } catch {
    // No storage: the system's choice holds.
  }
  return "system";
}

let theme = read();

function apply(): void {
  const isDark = theme === "dark" || (theme === "system" && system.matches);
  applyMode(isDark ? Mode.Dark : Mode.Light);
  document.documentElement.style.colorScheme = isDark ? "dark" : "light";
}

export function setTheme(next: Theme): void {
  theme = next;
  try {
    if (next === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, next);
  } catch {
    // It holds until the page is loaded again.
  }
  apply();
  listeners.forEach((f) => f());
}

export function startTheme(): void {
  apply();
  system.addEventListener("change", () => {
    apply();
    listeners.forEach((f) => f());
  });
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (f) => {
      listeners.add(f);
      return () => listeners.delete(f);
    },
    () => theme,
  );
}
