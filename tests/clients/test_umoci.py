"""Images made by umoci: their manifests carry no mediaType, which the media type of the request then has to supply."""

import json
import tarfile

from harness.env import run


def test_images_made_by_umoci_keep_their_bytes_and_unpack_the_same(sharing, client, images, layout, scratch, pushes_share):
    assert "mediaType" not in layout.manifest("one")
    skopeo = client(sharing, "skopeo")
    skopeo.login("--tls-verify=false")
    copy = lambda a, b, *o: skopeo("--insecure-policy", "copy", *o, a, b)
    push = lambda n: copy(f"oci:{images}/layout:{n}", f"docker://{sharing.host}/team/{n}:1", "--dest-tls-verify=false")
    pushes_share(sharing, lambda: push("one"), lambda: push("two"))

    for name in ("one", "two"):
        assert sharing.oci().get_manifest(f"team/{name}", "1") == layout.blob(layout.digest(name))
        copy(f"docker://{sharing.host}/team/{name}:1", f"oci:{scratch}/back:{name}", "--src-tls-verify=false")
        bundle = scratch / f"bundle-{name}"
        # As root the files keep their owners; otherwise umoci maps them.
        run(["umoci", "unpack", "--rootless", "--image", f"{scratch}/back:{name}", bundle], skopeo.env)
        for archive in ("base.tar", f"top-{name}.tar"):
            with tarfile.open(images / archive) as tar:
                for member in tar.getmembers():
                    assert (bundle / "rootfs" / member.name).read_bytes() == tar.extractfile(member).read()

    ecr = sharing.client("ecr")
    detail = ecr.describe_images(repositoryName="team/one")["imageDetails"][0]
    assert detail["imageDigest"] == layout.digest("one")
    assert detail["imageManifestMediaType"] == "application/vnd.oci.image.manifest.v1+json"
    got = ecr.batch_get_image(repositoryName="team/two", imageIds=[{"imageTag": "1"}])["images"][0]["imageManifest"]
    assert json.loads(got) == layout.manifest("two")
