//! The SES data perimeter: which requests must not get through, and whether they do.

pub mod ask;
mod assumptions;
pub mod check;
pub mod control;
mod documents;
pub mod explain;
pub mod facts;
pub mod lint;
mod memory;
pub mod model;
pub mod notes;
pub mod perimeter;
pub mod report;
pub mod sensitivity;
pub mod severity;
mod silence;
pub mod table;
pub mod view;
