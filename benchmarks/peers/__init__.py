"""Other people's servers, each doing the same work on the same rows as its makers would have it done."""
