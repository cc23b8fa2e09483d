// Pages that come when they are needed, after the styles that the first page does without.

import { lazy, type ComponentType, type LazyExoticComponent } from "react";

let styles: Promise<void> | undefined;

function moreStyles(): Promise<void> {
  styles ??= new Promise((done) => {
    const file = document.querySelector<HTMLMetaElement>('meta[name="more-styles"]')?.content;
    if (!file) return done();
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = file;
    link.onload = () => done();
    link.onerror = () => done(); // ugly is better than nothing
    document.head.append(link);
  });
  return styles;
}

// eslint-disable-next-line
export function lazyPage<P>(load: () => Promise<{ default: ComponentType<P> }>): LazyExoticComponent<ComponentType<P>> {
  return lazy(async () => (await Promise.all([load(), moreStyles()]))[0]);
}
