import assert from "node:assert/strict";
import test from "node:test";
import { EXAMPLE, inWords, problems, type Rule } from "../src/pure/lifecycle";

const rule = (selection: object, action: object = { type: "expire" }, rulePriority = 1) => ({ rulePriority, selection, action });
const count = { countType: "imageCountMoreThan", countNumber: 3 };
const age = (countType: string, countNumber = 30) => ({ countType, countUnit: "days", countNumber });

test("policies as ECR takes them have no problems", () => {
  const good: object[] = [
    EXAMPLE,
    { rules: [rule({ tagStatus: "untagged", ...age("sinceImagePushed") })] },
    { rules: [rule({ tagStatus: "tagged", tagPatternList: ["prod*"], ...count }), rule({ tagStatus: "tagged", tagPrefixList: ["beta"], ...count }, undefined, 2)] },
    { rules: [rule({ tagStatus: "any", ...age("sinceImagePulled") }, { type: "transition", targetStorageClass: "archive" })] },
    {
      rules: [
        rule({ tagStatus: "any", ...age("sinceImagePulled") }, { type: "transition", targetStorageClass: "archive" }),
        rule({ tagStatus: "any", storageClass: "archive", ...age("sinceImageTransitioned", 90) }, { type: "expire" }, 2),
      ],
    },
  ];
  for (const policy of good) assert.deepEqual(problems(policy), [], JSON.stringify(policy));
});

test("what is wrong is said, with the rule's number", () => {
  const bad: [unknown, RegExp][] = [
    [[], /looks like this/],
    [{}, /looks like this/],
    [{ rules: [] }, /at least one rule/],
    [{ rules: [], more: 1 }, /"more"/],
    [{ rules: [rule({ tagStatus: "untagged", ...count }, undefined, 0)] }, /rulePriority must be/],
    [{ rules: [rule({ tagStatus: "some", ...count })] }, /Rule 1: tagStatus/],
    [{ rules: [rule({ tagStatus: "tagged", ...count })] }, /needs tagPatternList/],
    [{ rules: [rule({ tagStatus: "tagged", tagPatternList: ["a"], tagPrefixList: ["a"], ...count })] }, /together/],
    [{ rules: [rule({ tagStatus: "tagged", tagPatternList: ["*a*a*a*a*"], ...count })] }, /four wildcards/],
    [{ rules: [rule({ tagStatus: "any", tagPrefixList: ["a"], ...count })] }, /only with tagStatus/],
    [{ rules: [rule({ tagStatus: "any", ...count, countUnit: "days" })] }, /countUnit does not go/],
    [{ rules: [rule({ tagStatus: "any", countType: "sinceImagePushed", countNumber: 1 })] }, /needs countUnit/],
    [{ rules: [rule({ tagStatus: "any", ...count, countNumber: 0 })] }, /at least 1/],
    [{ rules: [rule({ tagStatus: "any", ...age("sinceImagePulled") })] }, /only with action "transition"/],
    [{ rules: [rule({ tagStatus: "any", storageClass: "archive", ...age("sinceImageTransitioned", 89) })] }, /90/],
    [{ rules: [rule({ tagStatus: "any", storageClass: "archive", ...count })] }, /archive/],
    [{ rules: [rule({ tagStatus: "any", ...count }, { type: "transition" })] }, /targetStorageClass/],
    [{ rules: [rule({ tagStatus: "any", ...count }), rule({ tagStatus: "untagged", ...count })] }, /used by more than one/],
    [{ rules: [rule({ tagStatus: "any", ...count }), rule({ tagStatus: "untagged", ...count }, undefined, 2)] }, /highest/],
    [{ rules: [rule({ tagStatus: "untagged", ...count }), rule({ tagStatus: "untagged", ...count }, undefined, 2)] }, /untagged/],
    [{ rules: [{ rulePriority: 7 }] }, /Rule 7: it has no action/],
  ];
  for (const [policy, expected] of bad) assert.match(problems(policy).join("\n"), expected, JSON.stringify(policy));
});

test("rules are put into words", () => {
  const table: [Rule, string][] = [
    [rule({ tagStatus: "any", ...count }) as Rule, "Delete images, except the 3 youngest"],
    [rule({ tagStatus: "untagged", ...age("sinceImagePushed", 1) }) as Rule, "Delete images without a tag, pushed more than 1 day ago"],
    [rule({ tagStatus: "tagged", tagPatternList: ["a*", "b*"], ...count, countNumber: 1 }) as Rule, "Delete images with tags like a* and b*, except the youngest"],
    [
      rule({ tagStatus: "any", ...age("sinceImagePulled") }, { type: "transition", targetStorageClass: "archive" }) as Rule,
      "Archive images, not pulled for more than 30 days",
    ],
    [rule({ tagStatus: "any", storageClass: "archive", ...age("sinceImageTransitioned", 90) }) as Rule, "Delete archived images, archived more than 90 days ago"],
  ];
  for (const [r, words] of table) assert.equal(inWords(r), words);
});
