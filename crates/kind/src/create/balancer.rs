//! The file of the load balancer's node.

use kind_config::API_SERVER_PORT;
use kind_node::load_balancer::{self, Settings};

use crate::node::File;
use crate::plan::Plan;

/// What the load balancer is told: whom it leads to.
pub(super) fn load_balancer_file(plan: &Plan) -> File {
    let control_planes = plan.nodes.iter().filter(|node| node.is_control_plane());
    let mut names: Vec<_> = control_planes.map(|node| node.name.as_str()).collect();
    names.sort_unstable();
    let settings = Settings::new(API_SERVER_PORT, names);
    File::new(load_balancer::PATH, settings.text())
}
