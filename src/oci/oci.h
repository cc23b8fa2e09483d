/*
 * oci.h - the /v2/ front: OCI distribution spec 1.1 (and what its development branch adds) over the
 * rules of registry/, with ECR's authentication and error wordings. It also serves the signed layer
 * URLs of GetDownloadUrlForLayer.
 */
#ifndef BERTH_OCI_OCI_H
#define BERTH_OCI_OCI_H

#include "front/front.h"

/* o is borrowed for the life of the server. */
struct http_front oci_front(struct front_options *o);

#endif
