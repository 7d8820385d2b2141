//! What a verdict becomes for others.

pub mod asff;
pub mod causes;
pub mod lifecycle;
pub mod names;
pub mod results;
pub mod run;
pub mod slots;
pub mod stand_ins;
pub mod words;
