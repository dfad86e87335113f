//! The tests, and how they start a table.

mod items;
