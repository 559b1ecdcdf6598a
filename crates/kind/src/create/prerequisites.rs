//! What must be there before nodes can be planned: their images and their network.

use kind_config::Cluster;
use kind_engine::{Network, NetworkSpec};
use kind_image::ProgressSink;

use super::CreateCluster;
use super::coordinator::Coordinator;
use super::network_overlap::check_overlaps;
use super::phases::Phases;
use crate::error::Cause;
use crate::event::{Detail, Event, Phase, Verbosity, Warning};
use crate::{BuildNodeImage, Code, Error, Result, access, network, transfer};

/// Makes the image that the caller wants built, and returns its name; `None` if none is to be built.
pub(super) fn build_image(
    coordinator: &Coordinator<'_>,
    options: &CreateCluster,
    phases: &Phases<'_>,
) -> Result<Option<String>> {
    let Some(source) = &options.from else {
        return Ok(None);
    };
    let image = options.built_image(source);
    if !access::is_root() && has_image(coordinator, &image)? {
        // Only root can build it anew; what root has built before will do.
        let text = format!("Image: {image} is here already; only root can build it anew");
        phases.send_detail(Detail::new(Verbosity::Normal, text));
        return Ok(Some(image));
    }
    let build = BuildNodeImage::new(source.clone(), image).cancel(options.cancel.clone());
    let built = coordinator
        .provider
        .build_node_image(&build, phases.listener())?;
    coordinator.check_cancelled()?;
    Ok(Some(built.image))
}

fn has_image(coordinator: &Coordinator<'_>, image: &str) -> Result<bool> {
    let found = coordinator.engine().image(image);
    let found = found.map_err(Error::engine(
        Code::ImageLookup,
        "failed to look for the node image",
    ))?;
    Ok(found.is_some())
}

/// Has the engine have every image of the cluster's nodes.
pub(super) fn ensure_images(
    coordinator: &Coordinator<'_>,
    cluster: &Cluster,
    phases: &mut Phases<'_>,
) -> Result<()> {
    let nodes = cluster.nodes.iter();
    let mut images: Vec<_> = nodes.map(|node| node.image.as_str()).collect();
    images.sort_unstable();
    images.dedup();
    for image in images {
        let friendly = kind_image::friendly(image).to_owned();
        phases.begin_phase(Phase::EnsureImage { image: friendly });
        ensure_image(coordinator, image, phases)?;
        coordinator.check_cancelled()?;
    }
    Ok(())
}

fn ensure_image(coordinator: &Coordinator<'_>, image: &str, phases: &Phases<'_>) -> Result<()> {
    let engine = coordinator.provider.shared_engine();
    let failed = |error| Error::Image {
        image: image.to_owned(),
        source: Cause::from_engine(error),
    };
    if engine.image(image).map_err(failed)?.is_some() {
        let text = format!("Image: {image} present locally");
        phases.send_detail(Detail::new(Verbosity::Steps, text));
        return Ok(());
    }
    let text = format!("Pulling image: {image} ...");
    phases.send_detail(Detail::new(Verbosity::Steps, text));
    let name = image.to_owned();
    let pull = move |progress: ProgressSink<'_>| engine.pull(&name, progress);
    let pulled = transfer::run_transfer(pull, coordinator.cancel, phases.listener())?;
    pulled.map_err(failed)
}

/// Has the engine have the network that nodes share.
///
/// # Errors
/// The engine cannot make it, it has no IPv6 where the cluster needs it, or it has addresses of the cluster's pods.
pub(super) fn ensure_network(
    coordinator: &Coordinator<'_>,
    cluster: &Cluster,
    phases: &Phases<'_>,
) -> Result<Network> {
    let engine = coordinator.engine();
    let (name, variable) = network::network_name(engine.kind(), coordinator.provider.environment());
    if let Some(variable) = variable {
        phases.send_event(Event::Warning(Warning::NetworkOverridden {
            engine: engine.name(),
            variable,
        }));
    }
    let name = name.to_owned();
    let spec = NetworkSpec { name };
    let action = format!("failed to ensure {} network", engine.name());
    let ensured = engine.ensure_network(&spec);
    let network = ensured.map_err(Error::engine(Code::NetworkCreate, action))?;
    let has_ipv6 = network.subnets.iter().any(|subnet| subnet.contains(':'));
    if cluster.networking.ip_family.has_ipv6() && !has_ipv6 {
        return Err(Error::NetworkWithoutIpv6 {
            engine: engine.name(),
            network: network.name,
        });
    }
    let overlaps = check_overlaps(cluster, &network)?;
    for text in network.warnings.iter().cloned().chain(overlaps) {
        phases.send_event(Event::Warning(Warning::Engine(text)));
    }
    Ok(network)
}
