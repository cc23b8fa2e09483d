// Who the credentials belong to.

import { callQuery, type Client } from "./client";

export interface Identity {
  account: string;
  arn: string;
}

export async function getCallerIdentity(client: Client): Promise<Identity> {
  const xml = await callQuery(client, "sts", "2011-06-15", "GetCallerIdentity", {});
  const text = (name: string) => xml.getElementsByTagName(name)[0]?.textContent ?? "";
  return { account: text("Account"), arn: text("Arn") };
}
