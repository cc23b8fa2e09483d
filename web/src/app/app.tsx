// Signed out: the sign-in page. Signed in: the shell and the page that the address names.

import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import { Component, useEffect, useMemo, useState, type ReactNode } from "react";
import { Client } from "../api/client";
import Repositories from "../pages/repositories";
import { Problem } from "../ui/feedback";
import { lazyPage } from "../ui/lazy";
import { NoticesProvider } from "./notices";
import { usePage } from "./page";
import { go, parse, useHash } from "./router";
import { nameOf, rememberRegion, SessionProvider, type Session } from "./session";
import { Shell } from "./shell";
import { SignIn } from "./sign-in";

const pages = {
  create: lazyPage(() => import("../pages/create-repository")),
  repository: lazyPage(() => import("../pages/repository")),
  image: lazyPage(() => import("../pages/image")),
  layer: lazyPage(() => import("../pages/layer")),
  settings: lazyPage(() => import("../pages/settings")),
  permissions: lazyPage(() => import("../pages/permissions")),
  templates: lazyPage(() => import("../pages/templates")),
  template: lazyPage(() => import("../pages/template")),
  sharing: lazyPage(() => import("../pages/sharing")),
  layers: lazyPage(() => import("../pages/sharing-layers")),
  map: lazyPage(() => import("../pages/sharing-map")),
  pools: lazyPage(() => import("../pages/sharing-pools")),
  mounts: lazyPage(() => import("../pages/sharing-mounts")),
  estimate: lazyPage(() => import("../pages/sharing-estimate")),
  status: lazyPage(() => import("../pages/status")),
  users: lazyPage(() => import("../pages/users")),
  user: lazyPage(() => import("../pages/user")),
};

function route(hash: string): ReactNode {
  const { path, query } = parse(hash);
  const [first, second, third, fourth] = path;
  switch (first) {
    case undefined:
    case "repositories":
      if (!second) return <Repositories />;
      if (third === "images" && fourth) return <pages.image key={`${second} ${fourth}`} repository={second} digest={fourth} />;
      return <pages.repository key={second} name={second} tab={third ?? "images"} />;
    case "create-repository":
      return <pages.create />;
    case "layers":
      return second ? <pages.layer key={second} digest={second} /> : <pages.layers />;
    case "settings":
      return <pages.settings />;
    case "permissions":
      return <pages.permissions />;
    case "templates":
      if (!second) return <pages.templates />;
      return <pages.template key={hash} prefix={second === "new" ? undefined : query.get("prefix") ?? undefined} />;
    case "sharing":
      switch (second) {
        case undefined:
          return <pages.sharing />;
        case "layers":
          return <pages.layers />;
        case "map":
          return <pages.map />;
        case "pools":
          return <pages.pools />;
        case "mounts":
          return <pages.mounts key={hash} query={query} />;
        case "estimate":
          return <pages.estimate />;
      }
      break;
    case "status":
      return <pages.status />;
    case "users":
      return second ? <pages.user key={second} name={second} /> : <pages.users />;
  }
  return <Nowhere />;
}

function Nowhere() {
  usePage("No such page");
  return <Problem title="There is no such page" text="The address is not one of this console's." action={["Go to the repositories", "#/repositories"]} />;
}

/** A page that cannot be drawn, or loaded because the server has a newer console, must not take the others along. */
class Boundary extends Component<{ place: string; children: ReactNode }, { place: string; error?: Error }> {
  override state: { place: string; error?: Error } = { place: this.props.place };
  static getDerivedStateFromError(error: Error) {
    return { error };
  }
  static getDerivedStateFromProps(props: { place: string }, state: { place: string }) {
    return props.place === state.place ? null : { place: props.place, error: undefined };
  }
  override render() {
    if (!this.state.error) return this.props.children;
    const isLoad = /import|module|fetch/i.test(this.state.error.message);
    return (
      <Problem
        title={isLoad ? "This page could not be loaded" : "This page cannot be shown"}
        text={isLoad ? "The server cannot be reached, or it has a newer console now. Load the page again." : this.state.error.message}
        action={["Go to the repositories", "#/repositories"]}
      />
    );
  }
}

/** Takes the token out of the address at once, so that it stays in no history. */
function takeLink(): string | undefined {
  const m = /^#signin=(.+)$/.exec(location.hash);
  if (m) history.replaceState(null, "", location.pathname);
  return m?.[1];
}

const link = takeLink();

const HOME = "#/repositories";

export function App() {
  const hash = useHash();
  // The first is the one that is shown. All of them are in memory alone.
  const [sessions, setSessions] = useState<readonly Session[]>([]);
  const [isAdding, setAdding] = useState(false);
  const [unusedLink, setUnusedLink] = useState(link);
  const [message, setMessage] = useState<string>();
  const session = sessions[0];
  const value = useMemo(() => {
    if (!session) return undefined;
    const others = sessions.slice(1);
    session.client.onSessionOver = (e) =>
      end(session, /Expired/.test(e.code) ? "Your session has expired." : "The server no longer accepts your access key: it was deactivated or deleted, or its session ended.");
    return {
      ...session,
      others,
      signOut: () => {
        if (others.length) go(HOME);
        else history.replaceState(null, "", location.pathname);
        setSessions(others);
        setMessage(undefined);
      },
      switchTo: (other: Session) => {
        go(HOME);
        setSessions([other, ...sessions.filter((s) => s !== other)]);
      },
      addSession: () => {
        setMessage(undefined);
        setAdding(true);
      },
      setRegion: (region: string) => {
        rememberRegion(region);
        setSessions([{ ...session, client: new Client(session.client.credentials, region), region }, ...others]);
      },
    };
  }, [sessions]);

  /** The session is over, whoever wanted it: say why, before another goes on. */
  function end(over: Session, why: string) {
    setSessions((all) => all.filter((s) => s !== over));
    setMessage(why);
    setAdding(true);
  }

  // Temporary credentials end at a known time: say so then, not at the next click.
  useEffect(() => {
    if (!session?.expiration) return;
    const ms = Math.min(2 ** 31 - 1, session.expiration * 1000 - Date.now());
    const timer = setTimeout(() => end(session, "Your session has expired."), Math.max(0, ms));
    return () => clearTimeout(timer);
  }, [session]);

  return (
    <I18nProvider locale="en" messages={[messages]}>
      {value && !isAdding ? (
        <SessionProvider value={value}>
          <NoticesProvider key={`${value.identity.arn} ${value.region}`}>
            <Shell hash={hash}>
              <Boundary place={hash}>{route(hash)}</Boundary>
            </Shell>
          </NoticesProvider>
        </SessionProvider>
      ) : (
        <SignIn
          message={message}
          link={unusedLink}
          back={session && { name: nameOf(session), go: () => setAdding(false) }}
          onSession={(s) => {
            rememberRegion(s.region);
            if (session && session.identity.arn !== s.identity.arn) go(HOME);
            setSessions([s, ...sessions.filter((other) => other.identity.arn !== s.identity.arn)]);
            setMessage(undefined);
            setAdding(false);
            setUnusedLink(undefined);
          }}
        />
      )}
    </I18nProvider>
  );
}
