// What stands around every page.

import AppLayoutToolbar from "@cloudscape-design/components/app-layout-toolbar";
import BreadcrumbGroup from "@cloudscape-design/components/breadcrumb-group";
import Flashbar from "@cloudscape-design/components/flashbar";
import SideNavigation, { type SideNavigationProps } from "@cloudscape-design/components/side-navigation";
import TopNavigation, { type TopNavigationProps } from "@cloudscape-design/components/top-navigation";
import { Suspense, useEffect, useRef, useState, type ReactNode } from "react";
import { Loading } from "../ui/feedback";
import { useNotices } from "./notices";
import { PageContext, type PageInfo } from "./page";
import { knownRegions, nameOf, useSession } from "./session";
import { RegionModal } from "./region-modal";
import { setTheme, useTheme, type Theme } from "./theme";

const NAVIGATION: SideNavigationProps.Item[] = [
  {
    type: "section",
    text: "Private registry",
    items: [
      { type: "link", text: "Repositories", href: "#/repositories" },
      { type: "link", text: "Features & Settings", href: "#/settings" },
      { type: "link", text: "Permissions", href: "#/permissions" },
      { type: "link", text: "Repository creation templates", href: "#/templates" },
    ],
  },
  {
    type: "section",
    text: "Sharing",
    items: [
      { type: "link", text: "Savings", href: "#/sharing" },
      { type: "link", text: "Shared layers", href: "#/sharing/layers" },
      { type: "link", text: "Who shares with whom", href: "#/sharing/map" },
      { type: "link", text: "Pools", href: "#/sharing/pools" },
      { type: "link", text: "Mount log", href: "#/sharing/mounts" },
      { type: "link", text: "What would enabling save?", href: "#/sharing/estimate" },
    ],
  },
  {
    type: "section",
    text: "Server",
    items: [
      { type: "link", text: "Status", href: "#/status" },
      { type: "link", text: "Users & keys", href: "#/users" },
    ],
  },
];

/** No Region has such a name. */
const OTHER = "another";

const THEMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function TopBar({ children }: { children?: TopNavigationProps.Utility[] }) {
  const theme = useTheme();
  const appearance: TopNavigationProps.MenuDropdownUtility = {
    type: "menu-dropdown",
    iconName: theme === "dark" ? "star-filled" : "settings",
    ariaLabel: "Appearance",
    title: "Appearance",
    items: (Object.keys(THEMES) as Theme[]).map((id) => ({
      id,
      text: THEMES[id],
      itemType: "checkbox" as const,
      checked: theme === id,
    })),
    onItemClick: ({ detail }) => setTheme(detail.id as Theme),
  };
  return (
    <div id="h">
      <TopNavigation
        identity={{ href: "#/repositories", title: "Berth" }}
        utilities={[appearance, ...(children ?? [])]}
        i18nStrings={{ overflowMenuTriggerText: "More", overflowMenuTitleText: "All", overflowMenuBackIconAriaLabel: "Back" }}
      />
    </div>
  );
}

function useUtilities(openRegion: () => void): TopNavigationProps.Utility[] {
  const { identity, region, setRegion, signOut, others, switchTo, addSession } = useSession();
  const regions = [...new Set([region, ...knownRegions()])];
  const name = identity.arn.split(":").pop()!;
  return [
    {
      type: "menu-dropdown",
      text: region,
      ariaLabel: `Region ${region}`,
      items: [
        ...regions.map((id) => ({ id, text: id, itemType: "checkbox" as const, checked: id === region })),
        { id: OTHER, text: "Another Region…" },
      ],
      onItemClick: ({ detail }) => (detail.id === OTHER ? openRegion() : setRegion(detail.id)),
    },
    {
      type: "menu-dropdown",
      text: identity.account,
      description: identity.arn,
      iconName: "user-profile",
      ariaLabel: `Account ${identity.account}`,
      items: [
        { id: "who", text: name, secondaryText: "Signed in as", disabled: true },
        ...others.map((other, i) => ({ id: `${OTHER}${i}`, text: `Switch to ${nameOf(other)}` })),
        { id: OTHER, text: "Sign in to another account" },
        { id: "users", text: "Users & keys", href: "#/users" },
        { id: "out", text: "Sign out" },
      ],
      onItemClick: ({ detail }) => {
        if (detail.id === "out") signOut();
        else if (detail.id === OTHER) addSession();
        else if (detail.id.startsWith(OTHER)) switchTo(others[Number(detail.id.slice(OTHER.length))]!);
      },
    },
  ];
}

/** The navigation's entry that a place belongs to: the longest that it begins with. */
function activeHref(hash: string): string {
  let best = "";
  for (const section of NAVIGATION) {
    for (const item of (section as SideNavigationProps.Section).items) {
      const link = item as SideNavigationProps.Link;
      if ((hash === link.href || hash.startsWith(`${link.href}/`) || hash.startsWith(`${link.href}?`)) && link.href.length > best.length) best = link.href;
    }
  }
  if (hash.startsWith("#/layers/")) best = "#/sharing/layers";
  if (hash.startsWith("#/create-repository")) best = "#/repositories";
  return best;
}

export function Shell({ hash, children }: { hash: string; children: ReactNode }) {
  const [info, setInfo] = useState<PageInfo>({ title: "", crumbs: [] });
  const [isOpen, setOpen] = useState(() => innerWidth > 900);
  const [askRegion, setAskRegion] = useState(false);
  const notices = useNotices();
  const page = useRef<HTMLDivElement>(null);
  const place = hash.split("?")[0]!;
  const first = useRef(true);

  // A new page starts where readers and keyboards look for it: at its beginning. Tabs of one page are no new page.
  const pageOf = place.replace(/^(#\/repositories\/[^/]+)\/[a-z]+$/, "$1");
  useEffect(() => {
    if (first.current) first.current = false;
    else {
      page.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  }, [pageOf]);

  return (
    <PageContext.Provider value={setInfo}>
      <a className="skip" href={hash || "#/"} onClick={(e) => (e.preventDefault(), page.current?.focus())}>
        Skip to the page
      </a>
      <TopBar>{useUtilities(() => setAskRegion(true))}</TopBar>
      {askRegion && <RegionModal onClose={() => setAskRegion(false)} />}
      <AppLayoutToolbar
        headerSelector="#h"
        navigationOpen={isOpen}
        onNavigationChange={({ detail }) => setOpen(detail.open)}
        navigation={
          <SideNavigation
            header={{ text: "Container registry", href: "#/repositories" }}
            activeHref={activeHref(place)}
            items={NAVIGATION}
            onFollow={() => innerWidth <= 900 && setOpen(false)}
          />
        }
        breadcrumbs={<BreadcrumbGroup items={info.crumbs} ariaLabel="Where you are" />}
        notifications={<Flashbar items={notices.items} stackItems={notices.items.length > 2} />}
        toolsHide
        content={
          <div ref={page} tabIndex={-1} className="page" role="region" aria-label={info.title || "Page"}>
            <Suspense fallback={<Loading />}>{children}</Suspense>
          </div>
        }
      />
    </PageContext.Provider>
  );
}
