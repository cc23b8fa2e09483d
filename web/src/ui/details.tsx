// Names and values in columns.

import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import type { ReactNode } from "react";

export function Details({ items, columns = 4 }: { items: [label: string, value: ReactNode][]; columns?: number }) {
  return <KeyValuePairs columns={columns} minColumnWidth={140} items={items.map(([label, value]) => ({ label, value: value ?? "-" }))} />;
}
