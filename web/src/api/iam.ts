// The few operations of IAM that the pages of users and keys need. (IAM's answers are XML.)

import { callQuery, type Client } from "./client";

const VERSION = "2010-05-08";

export interface User {
  name: string;
  arn: string;
  createdAt: string;
}

export interface AccessKey {
  id: string;
  isActive: boolean;
  createdAt: string;
}

type Input = Record<string, string | number | boolean | undefined>;

export function iam(client: Client, operation: string, input: Input, signal?: AbortSignal): Promise<Document> {
  return callQuery(client, "iam", VERSION, operation, input, signal);
}

function text(e: Element | Document, name: string): string {
  return e.getElementsByTagName(name)[0]?.textContent ?? "";
}

/** All of a list: its elements called "member" below the list's own element. */
async function all<T>(client: Client, operation: string, list: string, read: (member: Element) => T, input: Input, signal?: AbortSignal): Promise<T[]> {
  const found: T[] = [];
  let marker: string | undefined;
  do {
    const xml = await iam(client, operation, { ...input, Marker: marker }, signal);
    for (const m of xml.getElementsByTagName(list)[0]?.children ?? []) found.push(read(m));
    marker = text(xml, "IsTruncated") === "true" ? text(xml, "Marker") : undefined;
  } while (marker);
  return found;
}

export function listUsers(client: Client, signal?: AbortSignal): Promise<User[]> {
  return all(client, "ListUsers", "Users", (m) => ({ name: text(m, "UserName"), arn: text(m, "Arn"), createdAt: text(m, "CreateDate") }), {}, signal);
}

export async function getUser(client: Client, name: string, signal?: AbortSignal): Promise<User> {
  const xml = await iam(client, "GetUser", { UserName: name }, signal);
  return { name: text(xml, "UserName"), arn: text(xml, "Arn"), createdAt: text(xml, "CreateDate") };
}

export function listKeys(client: Client, name: string, signal?: AbortSignal): Promise<AccessKey[]> {
  const read = (m: Element) => ({ id: text(m, "AccessKeyId"), isActive: text(m, "Status") === "Active", createdAt: text(m, "CreateDate") });
  return all(client, "ListAccessKeys", "AccessKeyMetadata", read, { UserName: name }, signal);
}

/** When a key was last used, as IAM writes it; undefined: never. */
export async function lastUsed(client: Client, id: string, signal?: AbortSignal): Promise<string | undefined> {
  const xml = await iam(client, "GetAccessKeyLastUsed", { AccessKeyId: id }, signal);
  return text(xml, "LastUsedDate") || undefined;
}

export async function createKey(client: Client, name: string): Promise<{ id: string; secret: string }> {
  const xml = await iam(client, "CreateAccessKey", { UserName: name });
  return { id: text(xml, "AccessKeyId"), secret: text(xml, "SecretAccessKey") };
}

export function listAttached(client: Client, name: string, signal?: AbortSignal): Promise<{ name: string; arn: string }[]> {
  const read = (m: Element) => ({ name: text(m, "PolicyName"), arn: text(m, "PolicyArn") });
  return all(client, "ListAttachedUserPolicies", "AttachedPolicies", read, { UserName: name }, signal);
}

export function listInline(client: Client, name: string, signal?: AbortSignal): Promise<string[]> {
  return all(client, "ListUserPolicies", "PolicyNames", (m) => m.textContent ?? "", { UserName: name }, signal);
}

export function listGroups(client: Client, name: string, signal?: AbortSignal): Promise<string[]> {
  return all(client, "ListGroupsForUser", "Groups", (m) => text(m, "GroupName"), { UserName: name }, signal);
}

export const MANAGED = [
  { name: "AmazonEC2ContainerRegistryReadOnly", what: "See repositories and images, and pull" },
  { name: "AmazonEC2ContainerRegistryPullOnly", what: "Pull, and nothing else" },
  { name: "AmazonEC2ContainerRegistryPowerUser", what: "Pull and push, but not delete or change policies" },
  { name: "AmazonEC2ContainerRegistryFullAccess", what: "Everything in the registry" },
].map((p) => ({ ...p, arn: `arn:aws:iam::aws:policy/${p.name}` }));
