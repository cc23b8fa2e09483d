// Loading: one thing, or a list page by page.

import { useCallback, useEffect, useRef, useState } from "react";

export interface Loaded<T> {
  data?: T;
  error?: unknown;
  isLoading: boolean;
  reload(): void;
}

/** Runs load now and whenever a dependency changes; the last data stays on view while new data loads. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, deps: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown; isLoading: boolean }>({ isLoading: true });
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const abort = new AbortController();
    setState((old) => ({ data: old.data, isLoading: true }));
    load(abort.signal).then(
      (data) => !abort.signal.aborted && setState({ data, isLoading: false }),
      (error: unknown) => !abort.signal.aborted && setState((old) => ({ data: old.data, error, isLoading: false })),
    );
    return () => abort.abort();
    // The caller names what load depends on.
    // eslint-disable-next-line
  }, [...deps, turn]);
  return { ...state, reload: useCallback(() => setTurn((t) => t + 1), []) };
}

export interface Pages<T> {
  items: readonly T[];
  error?: unknown;
  isLoading: boolean;
  /** From 1. */
  index: number;
  /** Pages that are known so far. */
  known: number;
  hasMore: boolean;
  turnTo(index: number): void;
  reload(): void;
}

interface Answer<T> {
  items: T[];
  nextToken?: string;
}

/**
 * A list that the server gives in pages of its own size, by tokens. Only the page on view is in memory, so the list may be of
 * any length. Going back uses the tokens that were met. The server may answer with fewer items than it was asked for, even none,
 * because it looks at a bounded number of rows: a page goes on until it has atLeast so many, or there are no more.
 * missing: how many it still wants.
 */
export function usePages<T>(load: (token: string | undefined, signal: AbortSignal, missing: number) => Promise<Answer<T>>, deps: readonly unknown[], atLeast = 1): Pages<T> {
  const tokens = useRef<(string | undefined)[]>([undefined]);
  const [index, setIndex] = useState(1);
  const [turn, setTurn] = useState(0);
  const [state, setState] = useState<{ items: T[]; error?: unknown; isLoading: boolean; hasMore: boolean }>({ items: [], isLoading: true, hasMore: false });
  const key = JSON.stringify(deps.filter((d) => typeof d !== "object"));
  const lastKey = useRef(key);

  useEffect(() => {
    const abort = new AbortController();
    let page = index;
    if (lastKey.current !== key) {
      lastKey.current = key;
      tokens.current = [undefined];
      page = 1;
      setIndex(1);
    }
    setState((old) => ({ ...old, error: undefined, isLoading: true }));
    const run = async () => {
      let token = tokens.current[page - 1];
      const items: T[] = [];
      for (;;) {
        const answer = await load(token, abort.signal, atLeast - items.length);
        items.push(...answer.items);
        if (items.length >= atLeast || !answer.nextToken) return { items, nextToken: answer.nextToken };
        token = answer.nextToken;
      }
    };
    run().then(
      (answer) => {
        if (abort.signal.aborted) return;
        tokens.current.length = page;
        if (answer.nextToken) tokens.current.push(answer.nextToken);
        setState({ items: answer.items, isLoading: false, hasMore: Boolean(answer.nextToken) });
      },
      (error: unknown) => !abort.signal.aborted && setState({ items: [], error, isLoading: false, hasMore: false }),
    );
    return () => abort.abort();
    // eslint-disable-next-line
  }, [key, index, turn]);

  return {
    ...state,
    index,
    known: Math.max(tokens.current.length, index),
    turnTo: setIndex,
    reload: useCallback(() => setTurn((t) => t + 1), []),
  };
}

/** A value that has held still for a while: for searching while somebody types. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** Calls f every so often while the page is looked at. */
export function useEvery(ms: number, f: () => void): void {
  const latest = useRef(f);
  latest.current = f;
  useEffect(() => {
    const timer = setInterval(() => !document.hidden && latest.current(), ms);
    return () => clearInterval(timer);
  }, [ms]);
}
