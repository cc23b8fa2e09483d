// Amazon ECR's operations, with the SDK's types as they look on the wire: times are seconds since 1970.

import type * as sdk from "@aws-sdk/client-ecr";
import { callJson, type Client } from "./client";

/** The SDK's Date is a number on the wire; everything else is as the SDK says. */
type Wire<T> = T extends Date ? number : T extends (infer U)[] ? Wire<U>[] : T extends object ? { [K in keyof T]: Wire<T[K]> } : T;
type Out<T> = Omit<Wire<T>, "$metadata">;

interface Operations {
  BatchDeleteImage: [sdk.BatchDeleteImageCommandInput, sdk.BatchDeleteImageCommandOutput];
  BatchGetImage: [sdk.BatchGetImageCommandInput, sdk.BatchGetImageCommandOutput];
  CreateRepository: [sdk.CreateRepositoryCommandInput, sdk.CreateRepositoryCommandOutput];
  CreateRepositoryCreationTemplate: [sdk.CreateRepositoryCreationTemplateCommandInput, sdk.CreateRepositoryCreationTemplateCommandOutput];
  DeleteLifecyclePolicy: [sdk.DeleteLifecyclePolicyCommandInput, sdk.DeleteLifecyclePolicyCommandOutput];
  DeleteRegistryPolicy: [sdk.DeleteRegistryPolicyCommandInput, sdk.DeleteRegistryPolicyCommandOutput];
  DeleteRepository: [sdk.DeleteRepositoryCommandInput, sdk.DeleteRepositoryCommandOutput];
  DeleteRepositoryCreationTemplate: [sdk.DeleteRepositoryCreationTemplateCommandInput, sdk.DeleteRepositoryCreationTemplateCommandOutput];
  DeleteRepositoryPolicy: [sdk.DeleteRepositoryPolicyCommandInput, sdk.DeleteRepositoryPolicyCommandOutput];
  DescribeImages: [sdk.DescribeImagesCommandInput, sdk.DescribeImagesCommandOutput];
  DescribeRepositories: [sdk.DescribeRepositoriesCommandInput, sdk.DescribeRepositoriesCommandOutput];
  DescribeRepositoryCreationTemplates: [
    sdk.DescribeRepositoryCreationTemplatesCommandInput,
    sdk.DescribeRepositoryCreationTemplatesCommandOutput,
  ];
  GetAccountSetting: [sdk.GetAccountSettingCommandInput, sdk.GetAccountSettingCommandOutput];
  GetLifecyclePolicy: [sdk.GetLifecyclePolicyCommandInput, sdk.GetLifecyclePolicyCommandOutput];
  GetLifecyclePolicyPreview: [sdk.GetLifecyclePolicyPreviewCommandInput, sdk.GetLifecyclePolicyPreviewCommandOutput];
  GetRegistryPolicy: [sdk.GetRegistryPolicyCommandInput, sdk.GetRegistryPolicyCommandOutput];
  GetRegistryScanningConfiguration: [
    sdk.GetRegistryScanningConfigurationCommandInput,
    sdk.GetRegistryScanningConfigurationCommandOutput,
  ];
  GetRepositoryPolicy: [sdk.GetRepositoryPolicyCommandInput, sdk.GetRepositoryPolicyCommandOutput];
  ListImageReferrers: [sdk.ListImageReferrersCommandInput, sdk.ListImageReferrersCommandOutput];
  ListPullTimeUpdateExclusions: [sdk.ListPullTimeUpdateExclusionsCommandInput, sdk.ListPullTimeUpdateExclusionsCommandOutput];
  ListTagsForResource: [sdk.ListTagsForResourceCommandInput, sdk.ListTagsForResourceCommandOutput];
  PutAccountSetting: [sdk.PutAccountSettingCommandInput, sdk.PutAccountSettingCommandOutput];
  PutImageTagMutability: [sdk.PutImageTagMutabilityCommandInput, sdk.PutImageTagMutabilityCommandOutput];
  PutLifecyclePolicy: [sdk.PutLifecyclePolicyCommandInput, sdk.PutLifecyclePolicyCommandOutput];
  PutRegistryPolicy: [sdk.PutRegistryPolicyCommandInput, sdk.PutRegistryPolicyCommandOutput];
  PutRegistryScanningConfiguration: [
    sdk.PutRegistryScanningConfigurationCommandInput,
    sdk.PutRegistryScanningConfigurationCommandOutput,
  ];
  SetRepositoryPolicy: [sdk.SetRepositoryPolicyCommandInput, sdk.SetRepositoryPolicyCommandOutput];
  StartLifecyclePolicyPreview: [sdk.StartLifecyclePolicyPreviewCommandInput, sdk.StartLifecyclePolicyPreviewCommandOutput];
  TagResource: [sdk.TagResourceCommandInput, sdk.TagResourceCommandOutput];
  UntagResource: [sdk.UntagResourceCommandInput, sdk.UntagResourceCommandOutput];
  UpdateImageStorageClass: [sdk.UpdateImageStorageClassCommandInput, sdk.UpdateImageStorageClassCommandOutput];
  UpdateRepositoryCreationTemplate: [
    sdk.UpdateRepositoryCreationTemplateCommandInput,
    sdk.UpdateRepositoryCreationTemplateCommandOutput,
  ];
}

export type EcrInput<K extends keyof Operations> = Operations[K][0];
export type EcrOutput<K extends keyof Operations> = Out<Operations[K][1]>;

export type Repository = Wire<sdk.Repository>;
export type ImageDetail = Wire<sdk.ImageDetail>;
export type Template = Wire<sdk.RepositoryCreationTemplate>;
export type Tag = sdk.Tag;
export type Mutability = sdk.ImageTagMutability;
export type EncryptionType = sdk.EncryptionType;
export type Referrer = Wire<sdk.ImageReferrer>;
export type PreviewResult = Wire<sdk.LifecyclePolicyPreviewResult>;
export type ScanningRule = Wire<sdk.RegistryScanningRule>;

export function ecr<K extends keyof Operations>(client: Client, operation: K, input: EcrInput<K>, signal?: AbortSignal): Promise<EcrOutput<K>> {
  return callJson(client, "ecr", "AmazonEC2ContainerRegistry_V20150921", operation, input, signal) as Promise<EcrOutput<K>>;
}
