import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Modal from "@cloudscape-design/components/modal";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { ecr, type Repository } from "../api/ecr";
import { useNotices } from "../app/notices";
import { useSession } from "../app/session";
import { Failure } from "../ui/feedback";
import { isMutabilityFine, MutabilityFields, mutabilityInput, mutabilityValue } from "../ui/mutability-fields";

export default function EditMutability({ repository, onDone, onClose }: { repository: Repository; onDone(): void; onClose(): void }) {
  const { client } = useSession();
  const notices = useNotices();
  const [value, setValue] = useState(mutabilityValue(repository.imageTagMutability, repository.imageTagMutabilityExclusionFilters));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const save = async () => {
    setBusy(true);
    try {
      await ecr(client, "PutImageTagMutability", { repositoryName: repository.repositoryName, ...mutabilityInput(value) });
      notices.success(`Tag mutability of ${repository.repositoryName} is changed`);
      onDone();
      onClose();
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      header="Tag mutability"
      onDismiss={onClose}
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={onClose}>
              Cancel
            </Button>
            <Button variant="primary" loading={busy} disabled={!isMutabilityFine(value)} onClick={() => void save()}>
              Save
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        {error !== undefined && <Failure error={error} />}
        <MutabilityFields value={value} onChange={setValue} />
      </SpaceBetween>
    </Modal>
  );
}
