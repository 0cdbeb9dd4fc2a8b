"""The whole regeneration rehearsed: as many scans and sites as there are, of tiny scans."""
