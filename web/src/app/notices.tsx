// Banners above the page: what an action did, or why it could not.

import type { FlashbarProps } from "@cloudscape-design/components/flashbar";
import { createContext, useContext, useMemo, useState, type ReactNode } from "react";
import { failureWords } from "../pure/errors";

interface Notices {
  items: FlashbarProps.MessageDefinition[];
  success(header: string, content?: ReactNode): void;
  info(header: string, content?: ReactNode): void;
  failure(error: unknown, header?: string): void;
  clear(): void;
}

const Context = createContext<Notices | undefined>(undefined);

let next = 0;

export function NoticesProvider({ children }: { children: ReactNode }) {
  const [items, setItems] = useState<FlashbarProps.MessageDefinition[]>([]);
  const notices = useMemo(() => {
    const add = (type: "success" | "info" | "error", header: string, content?: ReactNode) => {
      const id = `notice-${next++}`;
      const item: FlashbarProps.MessageDefinition = {
        id,
        type,
        header,
        content,
        dismissible: true,
        dismissLabel: "Dismiss",
        // Everything is announced at once; errors interrupt.
        ariaRole: type === "error" ? "alert" : "status",
        onDismiss: () => setItems((old) => old.filter((i) => i.id !== id)),
      };
      setItems((old) => [item, ...old].slice(0, 4));
    };
    return {
      success: (header: string, content?: ReactNode) => add("success", header, content),
      info: (header: string, content?: ReactNode) => add("info", header, content),
      failure: (error: unknown, header?: string) => {
        const words = failureWords(error);
        add("error", header ?? words.title, header ? `${words.title}. ${words.text}` : words.text);
      },
      clear: () => setItems([]),
    };
  }, []);
  return <Context.Provider value={useMemo(() => ({ ...notices, items }), [notices, items])}>{children}</Context.Provider>;
}

export function useNotices(): Notices {
  return useContext(Context)!;
}
