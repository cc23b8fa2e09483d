// The layers that save most.

import ContentLayout from "@cloudscape-design/components/content-layout";
import Header from "@cloudscape-design/components/header";
import Link from "@cloudscape-design/components/link";
import Select from "@cloudscape-design/components/select";
import { useState } from "react";
import { berth } from "../api/sharing";
import { usePage } from "../app/page";
import { href } from "../app/router";
import { useSession } from "../app/session";
import { bytes, count, shortDigest } from "../pure/format";
import { poolId, poolLabel } from "../pure/words";
import { useLoad, usePages } from "../ui/data";
import { Empty } from "../ui/feedback";
import { PagedTable } from "../ui/paged-table";
import { SavedBar } from "../ui/saved";
import { When } from "../ui/when";

export default function SharedLayers() {
  const { client } = useSession();
  const [chosen, setChosen] = useState("");
  usePage("Shared layers", ["Sharing", "#/sharing"]);
  const summary = useLoad((signal) => berth(client, "GetSharingSummary", {}, signal), [client]);
  const pools = summary.data?.pools ?? [];
  const pool = pools.find((p) => poolId(p) === chosen);
  const pages = usePages(
    async (nextToken, signal) => {
      const answer = await berth(client, "ListLayerSharing", { encryptionType: pool?.encryptionType, kmsKey: pool?.kmsKey, maxResults: 50, nextToken }, signal);
      return { items: answer.layers, nextToken: answer.nextToken };
    },
    [chosen],
  );
  const most = Math.max(1, ...pages.items.map((l) => l.logicalBytes));
  const options = [{ value: "", label: "All pools" }, ...pools.map((p) => ({ value: poolId(p), label: poolLabel(p) }))];
  return (
    <ContentLayout header={<Header variant="h1">Shared layers</Header>}>
      <PagedTable
        title="Layers that save most"
        description="Layers that more than one repository holds. Each is stored once in its pool."
        pages={pages}
        trackBy={(l) => `${l.layerDigest} ${poolId(l)}`}
        ariaLabels={{ tableLabel: "Layers that save most" }}
        filter={
          pools.length > 1 ? (
            <Select
              selectedOption={options.find((o) => o.value === chosen) ?? options[0]!}
              options={options}
              onChange={({ detail }) => setChosen(detail.selectedOption.value ?? "")}
              ariaLabel="Pool"
            />
          ) : undefined
        }
        columnDefinitions={[
          {
            id: "digest",
            header: "Layer",
            isRowHeader: true,
            minWidth: 200,
            cell: (l) => (
              <Link href={href("layers", l.layerDigest)}>
                <span className="mono">{shortDigest(l.layerDigest)}</span>
              </Link>
            ),
          },
          { id: "saved", header: "Saved", minWidth: 100, cell: (l) => <span className="number">{bytes(l.savedBytes)}</span> },
          { id: "size", header: "Size", minWidth: 100, cell: (l) => <span className="number">{bytes(l.layerSize)}</span> },
          { id: "holders", header: "Repositories", minWidth: 110, cell: (l) => <span className="number">{count(l.holders)}</span> },
          {
            id: "bar",
            header: "Stored and saved",
            minWidth: 180,
            cell: (l) => <SavedBar max={most} sums={{ logicalBytes: l.logicalBytes, storedBytes: l.layerSize, savedBytes: l.savedBytes }} />,
          },
          { id: "pool", header: "Encryption", minWidth: 140, cell: (l) => poolLabel(l) },
          { id: "since", header: "Since", minWidth: 150, cell: (l) => <When at={l.createdAt} /> },
        ]}
        empty={<Empty title="No layer is shared yet">Push two images that are built on the same base, with blob mounting on, for example with <code>docker push</code>.</Empty>}
      />
    </ContentLayout>
  );
}
