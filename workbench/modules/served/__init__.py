"""`ServerModule` and `UrlModule`: a callable as a service, and calls of one."""
