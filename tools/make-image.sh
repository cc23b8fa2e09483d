#!/bin/bash
# Makes build/berth-image, an OCI layout with an image of Berth itself, from build/berth; no container engine is needed.
#   tools/make-image.sh [BERTH [FOLDER]]
# The image holds the program, the libraries that it is linked with here or loads, certificates, and a user "berth". Push it with
#   skopeo copy oci:build/berth-image:VERSION docker://...
set -euo pipefail
cd "$(dirname "$0")/.."
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
exec python3 tools/oci_image.py "${1:-build/berth}" "${2:-build/berth-image}"
