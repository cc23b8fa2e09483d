// A table over a short list that is all there.

import { useCollection } from "@cloudscape-design/collection-hooks";
import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";

interface Props<T> {
  title: string;
  level?: "h2" | "h3";
  description?: ReactNode;
  actions?: ReactNode;
  items: readonly T[];
  columns: TableProps.ColumnDefinition<T>[];
  loading?: boolean;
  empty: ReactNode;
  pageSize?: number;
  variant?: TableProps.Variant;
  counter?: string;
  defaultSort?: { column: string; descending?: boolean };
}

export function DataTable<T>({ title, level = "h2", description, actions, items, columns, loading, empty, pageSize = 25, variant, counter, defaultSort }: Props<T>) {
  const sortColumn = columns.find((c) => c.id === defaultSort?.column);
  const collection = useCollection(items, {
    sorting: sortColumn ? { defaultState: { sortingColumn: sortColumn, isDescending: defaultSort?.descending } } : {},
    pagination: { pageSize },
  });
  return (
    <Table
      {...collection.collectionProps}
      variant={variant}
      items={collection.items}
      columnDefinitions={columns}
      loading={loading}
      loadingText="Loading"
      ariaLabels={{ tableLabel: title }}
      header={
        <Header variant={level} counter={counter ?? (items.length > pageSize ? `(${items.length})` : undefined)} description={description} actions={actions}>
          {title}
        </Header>
      }
      pagination={items.length > pageSize ? <Pagination {...collection.paginationProps} /> : undefined}
      empty={empty}
    />
  );
}
