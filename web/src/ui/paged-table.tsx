// A table over a list that the server gives in pages.

import Header from "@cloudscape-design/components/header";
import Pagination from "@cloudscape-design/components/pagination";
import Table, { type TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";
import type { Pages } from "./data";
import { Failure } from "./feedback";

interface Props<T> extends Omit<TableProps<T>, "items" | "loading" | "header" | "pagination"> {
  pages: Pages<T>;
  title: string;
  counter?: string;
  description?: ReactNode;
  actions?: ReactNode;
  level?: "h1" | "h2" | "h3";
}

export function PagedTable<T>({ pages, title, counter, description, actions, level = "h2", empty, ...rest }: Props<T>) {
  const isPaged = pages.hasMore || pages.index > 1;
  return (
    <Table
      {...rest}
      items={pages.items}
      loading={pages.isLoading && pages.items.length === 0}
      loadingText="Loading"
      wrapLines={rest.wrapLines}
      header={
        <Header variant={level === "h1" ? "awsui-h1-sticky" : level} headingTagOverride={level} counter={counter} description={description} actions={actions}>
          {title}
        </Header>
      }
      pagination={
        isPaged ? (
          <Pagination
            currentPageIndex={pages.index}
            pagesCount={pages.known}
            openEnd={pages.hasMore}
            disabled={pages.isLoading}
            onChange={({ detail }) => pages.turnTo(detail.currentPageIndex)}
          />
        ) : undefined
      }
      empty={pages.error !== undefined ? <Failure error={pages.error} onRetry={pages.reload} /> : empty}
    />
  );
}
