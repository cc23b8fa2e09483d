// Who is signed in. Credentials live in this module's memory alone: a reload forgets them.

import { createContext, useContext } from "react";
import { ApiError, Client, type Credentials } from "../api/client";
import { getCallerIdentity, type Identity } from "../api/sts";

export interface Session {
  client: Client;
  identity: Identity;
  region: string;
  /** When temporary credentials end, in seconds since 1970. */
  expiration?: number;
}

export interface Switches {
  setRegion(region: string): void;
  /** Who else is signed in in this tab: other accounts, or other users of this one. */
  others: readonly Session[];
  switchTo(other: Session): void;
  /** To sign-in, with this session kept. */
  addSession(): void;
  /** Ends this session; one of the others goes on. */
  signOut(): void;
}

const Context = createContext<(Session & Switches) | undefined>(undefined);
export const SessionProvider = Context.Provider;

export function useSession(): Session & Switches {
  const session = useContext(Context);
  if (!session) throw new Error("not signed in");
  return session;
}

/** "user/bob in 123456789012" */
export function nameOf({ identity }: Session): string {
  return `${identity.arn.split(":").pop()} in ${identity.account}`;
}

/** Asks the server whose credentials these are; throws if they are nobody's. */
export async function signIn(credentials: Credentials, region: string, expiration?: number): Promise<Session> {
  const client = new Client(credentials, region);
  return { client, identity: await getCallerIdentity(client), region, expiration };
}

interface LinkAnswer {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  expiration: number;
  region: string;
  message?: string;
}

/** Redeems the token of a link that `berth console` printed. */
export async function signInByLink(token: string): Promise<Session> {
  let response: Response;
  try {
    response = await fetch("signin", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
      credentials: "omit",
      cache: "no-store",
    });
  } catch {
    throw new ApiError("NetworkError", "", 0, "signin");
  }
  const answer = (await response.json().catch(() => ({}))) as LinkAnswer;
  if (!response.ok) throw new ApiError("LinkRefused", answer.message ?? "", response.status, "signin");
  return signIn(answer, answer.region, answer.expiration);
}

/** The Region to sign for, unless the user names another. */
export async function homeRegion(): Promise<string> {
  try {
    const response = await fetch("server.json", { credentials: "omit", cache: "no-store" });
    return ((await response.json()) as { region?: string }).region ?? "us-east-1";
  } catch {
    return "us-east-1";
  }
}

const REGIONS = "berth-console-regions";

/** Regions that were used in this browser. They are no secret, and a registry exists in every one as soon as it is used. */
export function knownRegions(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(REGIONS) ?? "[]");
    return Array.isArray(list) ? list.filter((r): r is string => typeof r === "string").slice(0, 20) : [];
  } catch {
    return [];
  }
}

export function rememberRegion(region: string): void {
  try {
    localStorage.setItem(REGIONS, JSON.stringify([...new Set([region, ...knownRegions()])].slice(0, 20)));
  } catch {
    // It is only a convenience.
  }
}

/** Why a sign-in failed, in words. */
export function signInFailure(e: unknown): string {
  const code = e instanceof ApiError ? e.code : "";
  const message = e instanceof ApiError ? e.message : String(e);
  switch (code) {
    case "UnrecognizedClientException":
    case "InvalidClientTokenId":
    case "InvalidAccessKeyId":
      return "Berth does not know this access key ID. Check it for typing mistakes, and that the key is active.";
    case "SignatureDoesNotMatch":
    case "InvalidSignatureException":
      if (/expired|not yet|skew|date/i.test(message)) return "The clocks of this computer and of the server differ by more than five minutes. Set the clock, then sign in again.";
      return "The secret access key is not right for this access key ID.";
    case "ExpiredToken":
    case "ExpiredTokenException":
      return "These temporary credentials have expired. Get new ones.";
    case "RequestExpired":
    case "RequestTimeTooSkewed":
      return "The clocks of this computer and of the server differ by more than five minutes. Set the clock, then sign in again.";
    case "LinkRefused":
      return "This sign-in link is used or older than five minutes. Make a new one: run berth console on the server.";
    case "NetworkError":
      return "The server cannot be reached. Is Berth running?";
    default:
      return message || "Berth refused these credentials.";
  }
}
