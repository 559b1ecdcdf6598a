//! Config files.

use kind_config::{ApiVersion, Source, convert};

/// A config is read or refused, with places that exist; what is read is written, converted and read
/// again without loss.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let source = Source::new("config", text);
    let mut cluster = match source.parse() {
        Ok(cluster) => cluster,
        Err(error) => {
            let _ = (error.to_string(), error.hints());
            source.explain(&error);
            return;
        }
    };
    let written = cluster
        .to_yaml(ApiVersion::V1beta1)
        .expect("the newest version says everything");
    let read = kind_config::Cluster::parse(&written);
    assert_eq!(read.as_ref(), Ok(&cluster), "{written}");
    let version = source.version().expect("it was read");
    for to in ApiVersion::ALL {
        let Ok(converted) = convert(text, *to) else {
            assert!(*to < version, "later versions say everything");
            continue;
        };
        let read = kind_config::Cluster::parse(&converted);
        assert_eq!(read.as_ref(), Ok(&cluster), "{converted}");
    }
    cluster.set_defaults();
    let once = cluster.clone();
    cluster.set_defaults();
    assert_eq!(cluster, once);
    cluster.warnings();
    if let Err(error) = cluster.validate() {
        assert!(!source.explain(&error).is_empty());
    }
}
