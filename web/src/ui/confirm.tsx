// Asks before something is gone: for what cannot be undone, by typing a word, as AWS consoles do.

import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState, type ReactNode } from "react";
import { Failure } from "./feedback";

interface Props {
  header: string;
  /** What happens. */
  children: ReactNode;
  /** What is lost, if something is. */
  warning?: ReactNode;
  /** What must be typed. */
  word?: string;
  button: string;
  onConfirm(): Promise<void>;
  onClose(): void;
}

export function Confirm({ header, children, warning, word, button, onConfirm, onClose }: Props) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const ready = !word || typed === word;
  const submit = async () => {
    if (!ready || busy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onConfirm();
      onClose();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header={header}
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" disabled={!ready} loading={busy} onClick={() => void submit()}>
              {button}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void submit();
        }}
      >
        <SpaceBetween size="m">
          {error !== undefined && <Failure error={error} />}
          <div>{children}</div>
          {warning && <Alert type="warning">{warning}</Alert>}
          {word && (
            <FormField label={`To confirm, type ${word} in the field.`}>
              <Input value={typed} onChange={({ detail }) => setTyped(detail.value)} placeholder={word} autoFocus spellcheck={false} autoComplete={false} />
            </FormField>
          )}
        </SpaceBetween>
      </form>
    </Modal>
  );
}
