//! Changes of an organization's policies: what they do to the verdicts, and which ones make
//! failed controls pass.

pub mod compare;
pub mod diff;
pub mod fix;
pub mod perimeters;
pub mod plan;
pub mod quota;
pub mod render;
pub mod worlds;
