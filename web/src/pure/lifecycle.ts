// Lifecycle policies in the browser: what is wrong with one before it is sent, and what its rules say in words. The
// server's judgement counts; this one is quicker and points at the rule. The grammar is that of ECR's user guide,
// "Lifecycle policy template" and "Lifecycle policy parameters".

export interface Selection {
  tagStatus: "tagged" | "untagged" | "any";
  tagPatternList?: string[];
  tagPrefixList?: string[];
  storageClass?: "standard" | "archive";
  countType: "imageCountMoreThan" | "sinceImagePushed" | "sinceImagePulled" | "sinceImageTransitioned";
  countUnit?: "days";
  countNumber: number;
}

export interface Rule {
  rulePriority: number;
  description?: string;
  selection: Selection;
  action: { type: "expire" | "transition"; targetStorageClass?: "archive" };
}

export interface Policy {
  rules: Rule[];
}

type Json = Record<string, unknown>;

const isObject = (v: unknown): v is Json => typeof v === "object" && v !== null && !Array.isArray(v);
const isWhole = (v: unknown): v is number => typeof v === "number" && Number.isInteger(v);

function unknownKeys(o: Json, allowed: string[]): string[] {
  return Object.keys(o)
    .filter((k) => !allowed.includes(k))
    .map((k) => `"${k}" is not something that can be said here`);
}

function tagProblems(s: Json): string[] {
  const lists = ["tagPatternList", "tagPrefixList"].filter((k) => k in s);
  if (s["tagStatus"] !== "tagged") return lists.map((k) => `${k} goes only with tagStatus "tagged"`);
  if (lists.length === 0) return ['tagStatus "tagged" needs tagPatternList or tagPrefixList'];
  if (lists.length === 2) return ["tagPatternList and tagPrefixList cannot be used together"];
  const list = s[lists[0]!];
  if (!Array.isArray(list) || list.length === 0 || !list.every((x) => typeof x === "string" && x !== "")) {
    return [`${lists[0]} must be a list of one or more texts`];
  }
  if (lists[0] === "tagPatternList" && list.some((x: string) => x.split("*").length > 5)) {
    return ["a tag pattern has at most four wildcards (*)"];
  }
  return [];
}

const COUNT_TYPES = ["imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"];

function countProblems(s: Json, action: unknown): string[] {
  const out: string[] = [];
  const type = s["countType"];
  const storage = s["storageClass"] ?? "standard";
  if (!COUNT_TYPES.includes(type as string)) return [`countType must be one of ${COUNT_TYPES.join(", ")}`];
  if (!isWhole(s["countNumber"]) || s["countNumber"] < 1) out.push("countNumber must be a whole number of at least 1");
  if (type === "imageCountMoreThan" && "countUnit" in s) out.push('countUnit does not go with countType "imageCountMoreThan"');
  if (type !== "imageCountMoreThan" && s["countUnit"] !== "days") out.push(`countType "${type}" needs countUnit "days"`);
  if (type === "sinceImagePulled" && action !== "transition") out.push('countType "sinceImagePulled" goes only with action "transition"');
  if (type === "sinceImageTransitioned") {
    if (storage !== "archive") out.push('countType "sinceImageTransitioned" needs storageClass "archive"');
    if (action !== "expire") out.push('countType "sinceImageTransitioned" goes only with action "expire"');
    if (isWhole(s["countNumber"]) && s["countNumber"] < 90) out.push("archived images are kept for at least 90 days: countNumber must be 90 or more");
  } else if (storage === "archive") {
    out.push('storageClass "archive" goes only with countType "sinceImageTransitioned"');
  }
  return out;
}

function ruleProblems(rule: Json): string[] {
  const out = unknownKeys(rule, ["rulePriority", "description", "selection", "action"]);
  if (!isWhole(rule["rulePriority"]) || rule["rulePriority"] < 1) out.push("rulePriority must be a whole number of at least 1");
  if ("description" in rule && typeof rule["description"] !== "string") out.push("description must be a text");
  const action = rule["action"];
  let type: unknown;
  if (!isObject(action)) out.push('it has no action: { "type": "expire" }');
  else {
    type = action["type"];
    out.push(...unknownKeys(action, ["type", "targetStorageClass"]));
    if (type !== "expire" && type !== "transition") out.push('action.type must be "expire" or "transition"');
    if (type === "transition" && action["targetStorageClass"] !== "archive") out.push('action "transition" needs targetStorageClass "archive"');
    if (type === "expire" && "targetStorageClass" in action) out.push('targetStorageClass does not go with action "expire"');
  }
  const s = rule["selection"];
  if (!isObject(s)) return [...out, "it has no selection"];
  out.push(...unknownKeys(s, ["tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber"]));
  if (!["tagged", "untagged", "any"].includes(s["tagStatus"] as string)) out.push('tagStatus must be "tagged", "untagged" or "any"');
  if ("storageClass" in s && !["standard", "archive"].includes(s["storageClass"] as string)) out.push('storageClass must be "standard" or "archive"');
  return [...out, ...tagProblems(s), ...countProblems(s, type)];
}

/** Rules that are right by themselves, but not together. */
function policyProblems(rules: Rule[]): string[] {
  const out: string[] = [];
  const priorities = rules.map((r) => r.rulePriority);
  for (const p of new Set(priorities)) {
    if (priorities.filter((x) => x === p).length > 1) out.push(`Priority ${p} is used by more than one rule.`);
  }
  for (const storage of ["standard", "archive"]) {
    const mine = rules.filter((r) => (r.selection.storageClass ?? "standard") === storage);
    const where = storage === "archive" ? " for archived images" : "";
    if (mine.filter((r) => r.selection.tagStatus === "untagged").length > 1) out.push(`Only one rule${where} may select untagged images.`);
    const any = mine.filter((r) => r.selection.tagStatus === "any");
    const last = Math.max(...mine.map((r) => r.rulePriority));
    for (const r of any) {
      if (r.rulePriority !== last) out.push(`Rule ${r.rulePriority} selects any image, so it must have the highest rulePriority${where}.`);
    }
    const sets = mine.filter((r) => r.selection.tagStatus === "tagged").map((r) => JSON.stringify([...(r.selection.tagPatternList ?? r.selection.tagPrefixList ?? [])].sort()));
    if (new Set(sets).size < sets.length) out.push(`Two rules${where} select the same tags.`);
  }
  return out;
}

/** All that is wrong, in sentences; empty when nothing is. */
export function problems(value: unknown): string[] {
  if (!isObject(value) || !Array.isArray(value["rules"])) return ['A lifecycle policy looks like this: { "rules": [ ... ] }.'];
  const out = unknownKeys(value, ["rules"]).map((p) => `${p}.`);
  const rules = value["rules"] as unknown[];
  if (rules.length < 1) out.push("A policy has at least one rule.");
  if (rules.length > 50) out.push("A policy has at most 50 rules.");
  rules.forEach((rule, i) => {
    const name = isObject(rule) && isWhole(rule["rulePriority"]) ? `Rule ${rule["rulePriority"]}` : `Rule number ${i + 1} in the list`;
    const found = isObject(rule) ? ruleProblems(rule) : ["it is not an object"];
    out.push(...found.map((p) => `${name}: ${p}.`));
  });
  return out.length ? out : policyProblems(rules as Rule[]);
}

function listed(list: string[]): string {
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list[list.length - 1]}`;
}

/** "Expire images with a tag like prod* beyond the 10 youngest" */
export function inWords(rule: Rule): string {
  const s = rule.selection;
  const verb = rule.action.type === "expire" ? "Delete" : "Archive";
  const archived = s.storageClass === "archive" ? "archived " : "";
  let which = `${archived}images`;
  if (s.tagStatus === "untagged") which = `${archived}images without a tag`;
  if (s.tagStatus === "tagged") {
    const list = s.tagPatternList ?? (s.tagPrefixList ?? []).map((p) => `${p}…`);
    which = `${archived}images with ${list.length > 1 ? "tags" : "a tag"} like ${listed(list)}`;
  }
  const n = s.countNumber;
  const days = n === 1 ? "1 day" : `${n} days`;
  switch (s.countType) {
    case "imageCountMoreThan":
      return `${verb} ${which}, except the ${n === 1 ? "youngest" : `${n} youngest`}`;
    case "sinceImagePushed":
      return `${verb} ${which}, pushed more than ${days} ago`;
    case "sinceImagePulled":
      return `${verb} ${which}, not pulled for more than ${days}`;
    case "sinceImageTransitioned":
      return `${verb} ${which}, archived more than ${days} ago`;
  }
}

export const EXAMPLE: Policy = {
  rules: [
    {
      rulePriority: 1,
      description: "Untagged images go after two weeks",
      selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 },
      action: { type: "expire" },
    },
    {
      rulePriority: 2,
      description: "Keep the last 30 images",
      selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 30 },
      action: { type: "expire" },
    },
  ],
};
