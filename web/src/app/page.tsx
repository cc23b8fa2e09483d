// What a page tells the shell about itself: its title and where it stands.

import type { BreadcrumbGroupProps } from "@cloudscape-design/components/breadcrumb-group";
import { createContext, useContext, useEffect } from "react";

export interface PageInfo {
  title: string;
  crumbs: BreadcrumbGroupProps.Item[];
}

export const PageContext = createContext<(info: PageInfo) => void>(() => {});

export function usePage(title: string, ...crumbs: [text: string, href: string][]): void {
  const set = useContext(PageContext);
  const key = JSON.stringify([title, crumbs]);
  useEffect(() => {
    document.title = `${title} | Berth`;
    set({ title, crumbs: [...crumbs.map(([text, href]) => ({ text, href })), { text: title, href: location.hash }] });
    // The arrays are made anew by every rendering; their text says whether anything changed.
    // eslint-disable-next-line
  }, [key, set]);
}
