"""Pages of the admin that show usage; they read selectors and decide nothing."""
