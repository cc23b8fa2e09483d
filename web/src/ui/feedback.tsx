// What stands where data would: it loads, it failed, there is none.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import StatusIndicator from "@cloudscape-design/components/status-indicator";
import type { ReactNode } from "react";
import { failureWords } from "../pure/errors";

export function Loading({ text = "Loading" }: { text?: string }) {
  return (
    <Box textAlign="center" padding="xxl" color="text-status-inactive">
      <StatusIndicator type="loading">{text}</StatusIndicator>
    </Box>
  );
}

export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const words = failureWords(error);
  return (
    <div role="alert">
      <Alert
        type={words.isDenied ? "warning" : "error"}
        header={words.title}
        action={onRetry && !words.isDenied && <Button onClick={onRetry}>Try again</Button>}
      >
        {words.text}
      </Alert>
    </div>
  );
}

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing is there, and what to do next. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <Box textAlign="center" padding={{ vertical: "m" }} color="inherit">
      <SpaceBetween size="xs">
        <b>{title}</b>
        {children && (
          <Box variant="p" color="inherit">
            {children}
          </Box>
        )}
        {action}
      </SpaceBetween>
    </Box>
  );
}

export function Problem({ title, text, action }: { title: string; text: string; action: [string, string] }) {
  return (
    <Box padding="xxl" textAlign="center">
      <SpaceBetween size="s">
        <Box variant="h1">{title}</Box>
        <Box variant="p">{text}</Box>
        <Button href={action[1]}>{action[0]}</Button>
      </SpaceBetween>
    </Box>
  );
}
