//! The network there: found, or made.

use ipnet::IpNet;

use super::answer::{InspectedNetwork, Subnets};
use super::find::{find_made_network, find_network, is_unused};
use super::{create, duplicates, settings};
#[cfg(doc)]
use crate::Code;
use crate::Error;
use crate::command_line::Flavor;
use crate::command_line::program::Program;

/// Makes the network unless it exists. Whoever else makes it at the same time, one remains. One that is there and not
/// as nodes need it is made anew if nobody is on it and a kind has made it; otherwise it is used with a warning, unless
/// `find_route` finds that its addresses lead elsewhere.
///
/// # Errors
/// The engine's, and [`Code::SubnetRouted`].
pub(in crate::command_line) fn ensure_network(
    flavor: Flavor,
    program: &Program,
    name: &str,
    find_route: impl FnOnce(&Subnets) -> Option<IpNet>,
) -> Result<InspectedNetwork, Error> {
    if let Some(known) = find_network(flavor, program, name)? {
        let problems = find_problems(flavor, program, &known);
        let route = find_route(&known.subnets);
        let is_wrong = route.is_some() || !problems.is_empty();
        if !is_wrong || !remove_unused(flavor, program, name, &known) {
            return use_network(flavor, known, &problems, route);
        }
        tracing::info!(?problems, ?route, "network {name:?} is made anew");
    }
    create::create_network(flavor, program, name)?;
    if flavor == Flavor::Docker {
        duplicates::remove_duplicates(program, name)?;
    }
    find_made_network(flavor, program, name)
}

/// A network as it is, with what is wrong with it.
fn use_network(
    flavor: Flavor,
    mut known: InspectedNetwork,
    problems: &[String],
    route: Option<IpNet>,
) -> Result<InspectedNetwork, Error> {
    let network = &mut known.network;
    if let Some(route) = route {
        let (engine, name) = (flavor.name(), &network.name);
        return Err(settings::routed_elsewhere(
            engine,
            name,
            &network.subnets,
            route,
        ));
    }
    if !problems.is_empty() {
        let warning = settings::warning(flavor, &network.name, problems);
        network.warnings.push(warning);
    }
    Ok(known)
}

fn find_problems(flavor: Flavor, program: &Program, known: &InspectedNetwork) -> Vec<String> {
    let way_out = match flavor {
        Flavor::Docker => create::bridge_mtu(program),
        Flavor::Podman | Flavor::Nerdctl => None,
    };
    let lasting = known.network.lasting_addresses;
    known.settings.find_problems(lasting, way_out)
}

/// Removes a network that a kind has made and nobody is on; whether it is gone.
fn remove_unused(flavor: Flavor, program: &Program, name: &str, known: &InspectedNetwork) -> bool {
    if !create::is_of_kind(name, &known.subnets) || !is_unused(flavor, program, name) {
        return false;
    }
    let removed = program.command_output(&["network", "rm", name]);
    if let Err(error) = &removed {
        tracing::debug!(%error, name, "a network that nobody is on stays");
    }
    removed.is_ok()
}
