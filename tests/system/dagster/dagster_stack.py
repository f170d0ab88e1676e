# Nobody ever had these keys, so that each find is a leak.
API_KEY, PUSH_KEY = "secret-api-3f2c9a", "secret-push-81d0be"
