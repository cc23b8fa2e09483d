import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useSession } from "./session";

export function RegionModal({ onClose }: { onClose(): void }) {
  const { setRegion } = useSession();
  const [name, setName] = useState("");
  const [problem, setProblem] = useState("");
  const submit = () => {
    if (!/^[0-9a-z-]{2,25}$/.test(name)) setProblem("A Region has 2 to 25 lowercase letters, digits and hyphens, such as eu-west-1.");
    else {
      setRegion(name);
      onClose();
    }
  };
  return (
    <Modal
      visible
      header="Another Region"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" onClick={submit}>
              Switch
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form onSubmit={(e) => (e.preventDefault(), submit())}>
        <Form>
          <FormField
            label="Region"
            description="Each Region of the account is a registry of its own: its repositories, settings and layers. It exists as soon as it is used."
            errorText={problem}
          >
            <Input value={name} onChange={({ detail }) => setName(detail.value.trim())} placeholder="eu-west-1" autoFocus />
          </FormField>
        </Form>
      </form>
    </Modal>
  );
}
