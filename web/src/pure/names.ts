// ECR's rules on names, so that a form can say what is wrong before the server does.

const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

/** What is wrong with a repository name, or undefined. */
export function repositoryNameProblem(name: string): string | undefined {
  if (name.length < 2) return "A name has at least 2 characters.";
  if (name.length > 256) return "A name has at most 256 characters.";
  if (/[A-Z]/.test(name)) return "Only lowercase letters are allowed.";
  if (/[^a-z0-9._/-]/.test(name)) return "Only lowercase letters, digits, and . _ - / are allowed.";
  if (!REPOSITORY.test(name)) return "Each part between slashes starts and ends with a letter or digit, and separators do not mix.";
  return undefined;
}

/** What is wrong with a filter of tags that are excluded from a mutability, or undefined. */
export function exclusionProblem(filter: string): string | undefined {
  if (filter.length < 1 || filter.length > 128) return "A filter has 1 to 128 characters.";
  if (!/^[0-9a-zA-Z._*-]+$/.test(filter)) return "Only letters, digits, and . _ - * are allowed.";
  if ((filter.match(/\*/g) ?? []).length > 2) return "A filter has at most two wildcards (*).";
  return undefined;
}

export function templatePrefixProblem(prefix: string): string | undefined {
  if (prefix === "ROOT") return undefined;
  const name = prefix.replace(/\/$/, "");
  if (!name) return "Give a prefix, or ROOT for all repositories that no other template fits.";
  if (name.length > 256) return "A prefix has at most 256 characters.";
  return REPOSITORY.test(name) ? undefined : "A prefix looks like the beginning of a repository name: team/app.";
}
