"""Where rows land in databases: one contract, which every engine passes the same tests of."""
