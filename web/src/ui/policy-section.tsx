// A policy that may be there or not: shown, edited, deleted. The repository's and the registry's work alike.

import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState, type ReactNode } from "react";
import { ApiError } from "../api/client";
import { useNotices } from "../app/notices";
import type { Example } from "../pure/policy";
import { Confirm } from "./confirm";
import { useLoad } from "./data";
import { Empty, Failure, Loading } from "./feedback";
import { PolicyEditor, PolicyText } from "./policy-editor";

interface Props {
  title: string;
  description: ReactNode;
  empty: ReactNode;
  limit: number;
  examples: Example[];
  /** Undefined: there is none. */
  load(signal: AbortSignal): Promise<string | undefined>;
  save(text: string): Promise<unknown>;
  remove(): Promise<unknown>;
  deps: readonly unknown[];
}

/** Runs load; a "not found" answer of that code is no failure. */
export async function orNone<T>(load: Promise<T>, code: string): Promise<T | undefined> {
  try {
    return await load;
  } catch (e) {
    if (e instanceof ApiError && e.code === code) return undefined;
    throw e;
  }
}

export function PolicySection({ title, description, empty, limit, examples, load, save, remove, deps }: Props) {
  const notices = useNotices();
  const [editing, setEditing] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const { data, error, isLoading, reload } = useLoad(async (signal) => ({ text: await load(signal) }), deps);
  const text = data?.text;
  return (
    <Container
      header={
        <Header
          variant="h2"
          description={description}
          actions={
            !editing &&
            data && (
              <SpaceBetween direction="horizontal" size="xs">
                {text && <Button onClick={() => setDeleting(true)}>Delete</Button>}
                <Button variant={text ? "normal" : "primary"} onClick={() => setEditing(true)}>
                  {text ? "Edit" : "Write a policy"}
                </Button>
              </SpaceBetween>
            )
          }
        >
          {title}
        </Header>
      }
    >
      {error !== undefined ? (
        <Failure error={error} onRetry={reload} />
      ) : !data ? (
        isLoading && <Loading />
      ) : editing ? (
        <PolicyEditor
          label="Policy"
          saved={text}
          limit={limit}
          examples={examples}
          onCancel={() => setEditing(false)}
          onSave={async (next) => {
            await save(next);
            notices.success("The policy is saved", "It holds from now on.");
            setEditing(false);
            reload();
          }}
        />
      ) : text ? (
        <PolicyText text={text} label="Policy" />
      ) : (
        <Empty title="No policy">{empty}</Empty>
      )}
      {deleting && (
        <Confirm
          header="Delete the policy"
          button="Delete"
          word="delete"
          onClose={() => setDeleting(false)}
          onConfirm={async () => {
            await remove();
            notices.success("The policy is deleted");
            reload();
          }}
        >
          What it allows or denies ends at once.
        </Confirm>
      )}
    </Container>
  );
}
