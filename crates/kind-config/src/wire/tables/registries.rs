//! Image registries.

use super::fields::table;
use crate::model::{Mirror, Registry};

table!(Registry, "Registry", "Where images of one registry are pulled from.", {
    V1beta1 "host" => host,
        "The registry as image references name it, for example `docker.io` or `localhost:5001`; `_default` for every other one.";
    V1beta1 "mirrors" => mirrors,
        "Where to ask instead, one after the other; the registry itself is asked last.";
});

table!(Mirror, "Mirror", "A server that has images.", {
    V1beta1 "url" => url, "Its address as nodes see it, for example `http://kind-registry:5000`.",
        {"pattern": "^https?://"};
    V1beta1 "skipVerify" => skip_verify, "Does not check the server's certificate.";
    V1beta1 "ca" => ca, "Certificate (PEM) of the authority that signed the server's certificate.";
});
