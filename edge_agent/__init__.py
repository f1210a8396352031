"""The edge agent: SIP, phone provisioning and voice at a site, configured by the cloud, working without it."""
